using Yarp.ReverseProxy.Configuration;

// YARP as its documentation sets it up: every path to one destination. Arguments: the port to listen on, the platform's port.
WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
builder.Logging.ClearProviders();
builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
builder.Services.AddReverseProxy().LoadFromMemory(
    [new RouteConfig { RouteId = "all", ClusterId = "platform", Match = new RouteMatch { Path = "{**path}" } }],
    [
        new ClusterConfig
        {
            ClusterId = "platform",
            Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = $"http://127.0.0.1:{args[1]}" } },
        },
    ]);
WebApplication application = builder.Build();
application.MapReverseProxy();
await application.RunAsync();
